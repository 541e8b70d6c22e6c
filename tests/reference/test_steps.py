"""Its steps, on its committed fixtures."""

from migrators.testing.ready import (  # noqa: F401  pytest finds them here
    test_migrate_catalogue_is_a_fresh_one,
    test_migrate_chain_equals_its_steps,
    test_migrate_step_gives_the_committed_fixtures,
    test_migrate_there_and_back,
)
