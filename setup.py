"""Packaging. The packages are named one by one: this is what a Dataflow worker installs, and tests never are."""

from setuptools import setup

setup(
    name="cleartitle",
    version="0.1.0",
    description="Deduplicate and filter a web crawl on Apache Beam, with the lineage of every document.",
    python_requires=">=3.11",
    packages=[
        "beam_jobs",
        "transforms",
        "transforms.measure",
        "transforms.measure.readers",
        "transforms.measure.rights",
        "transforms.decide",
        "transforms.decide.lists",
        "transforms.publish",
        "transforms.kernels",
        "schemas",
        "configs",
    ],
    package_data={
        "configs": ["blocklists/*.txt", "markers/*.txt", "presets/*.yaml", "publishers/*.txt"],
        "transforms.kernels": ["characters.npz"],
    },
    install_requires=[
        "apache-beam>=2.77",
        "pyarrow>=20",
        "xxhash>=3.5",
        "numpy>=2.0",
        "numba>=0.61",
        "FastWARC>=2.0",
        "Resiliparse>=2.0",
        "pydantic>=2.12",
        "PyYAML>=6.0.2",
        "click>=8.1",
        "rich>=13.9",
        "ada-url>=1.15",
        "publicsuffixlist>=1.0.2",
        "ahocorasick_rs>=1.0",
        "zstandard>=0.23",
    ],
    extras_require={
        "dev": [
            "pytest>=8.3",
            "pytest-xdist>=3.6",
            "hypothesis>=6.120",
            "datasketch>=2.0",
            "scipy>=1.14",
            "ruff>=0.9",
            "mypy>=1.14",
            "types-PyYAML>=6.0.12",
        ],
    },
    entry_points={"console_scripts": ["cleartitle = beam_jobs.cli:main"]},
)
