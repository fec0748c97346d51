"""The subcommands of `tidings-server`: one module each, with `add_arguments(parser)` and `run(args)`."""
