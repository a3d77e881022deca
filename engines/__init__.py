"""Real engines on this machine, for tests, benchmarks and a first try: fetched or built, started, stopped."""
