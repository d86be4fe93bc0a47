pytest_plugins = ["tests.servers", "tests.cast"]
