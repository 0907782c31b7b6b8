"""The command line. Heavy libraries are imported inside the commands, so that `--help` is quick."""

from __future__ import annotations

from typing import Annotated

import typer

from smart_reach.api.commands import (
    asking,
    data,
    deciding,
    describing,
    evaluating,
    ingesting,
    mending,
    privacy,
    serving,
    users,
)
from smart_reach.api.commands.common import WorkspaceOption, errors_as_exit_codes, opened

app = typer.Typer(
    name="smart-reach",
    help="The campaign cockpit: the engine decides, agents explain and propose, people approve.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(serving.serve)
app.command()(asking.ask)
app.command()(asking.route)
app.command()(deciding.decide)
app.command()(ingesting.ingest)
app.command()(ingesting.listen)
app.command()(data.train)
app.command()(deciding.experiment)
app.command("eval")(evaluating.evaluate)
app.command()(deciding.replay)
app.command("verify-ledger")(deciding.verify_ledger)
app.command()(data.demo)
app.command()(privacy.forget)
app.command("export")(privacy.export)
app.add_typer(mending.letters_app, name="dead-letters")
app.add_typer(mending.lake_app, name="lake")
app.add_typer(users.users_app, name="user")
app.add_typer(describing.features_app, name="features")
app.command("new")(users.new)


@app.command(hidden=True)
def migration(
    message: Annotated[str, typer.Argument(help="What the migration does.")],
    workspace: WorkspaceOption = None,
) -> None:
    """Write a migration with the difference between the tables in the code and the database."""
    from smart_reach.engine.state.migrate import new_migration

    with errors_as_exit_codes(), opened(workspace) as ws:
        new_migration(ws.db, message)


@app.command("register-models", hidden=True)
def register_models(workspace: WorkspaceOption = None) -> None:
    """Publish the serving model versions in MLflow; the server runs this aside."""
    from smart_reach.api.setup import register_versions
    from smart_reach.engine.models.versions import serving_versions

    with errors_as_exit_codes(), opened(workspace) as ws:
        register_versions(ws, serving_versions(ws))


def main() -> None:
    app()
