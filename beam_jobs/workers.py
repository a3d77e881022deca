"""`cleartitle workers`: serve Python workers to the task managers of a cluster."""

import click


@click.command("workers")
@click.option("--address", default="127.0.0.1:50000", show_default=True, help="HOST:PORT to listen at.")
def workers_command(address: str) -> None:
    """Start Python workers on this machine for an engine, such as Flink, that asks for them.

    Run one beside every TaskManager, and send jobs with `--environment_type=EXTERNAL --environment_config=HOST:PORT`
    after the `--`, the address as a TaskManager sees it. Whoever reaches the port can run code here: keep it off open
    networks.
    """
    from beam_jobs.runners.worker_pool import serve

    serve(address)
