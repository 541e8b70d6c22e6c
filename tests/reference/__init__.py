"""The reference application's own tests: nothing but its fixtures and the plugin."""
