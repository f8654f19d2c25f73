"""The files of the config are looked at before they are read: one line says what is wrong."""

from pathlib import Path

from snakemake.exceptions import WorkflowError

from brainuad.config.files import check_config_file
from brainuad.io.errors import SettingsError
from brainuad.io.job import start_jobs_in_utf8

start_jobs_in_utf8()


def or_stop(check, *arguments):
    """What a check of the library gives; what it raises stops the run with its one line."""
    try:
        return check(*arguments)
    except SettingsError as error:
        raise WorkflowError(str(error)) from None


def says_anything(file):
    """Whether a config file has keys. One that does not exist is Snakemake's to complain of."""
    return not Path(file).exists() or or_stop(check_config_file, Path(file).absolute())


# Those that the command line names.
for file in workflow.configfiles:
    says_anything(file)
