"""Settings of an installation: its folder and the files with its secrets."""

from pathlib import Path

from memesnipe.config.group import Group, setting
from memesnipe.config.home import Home
from memesnipe.config.types import Folder, OptionalPath


class InstallationSettings(Group):
    """Folder of this installation, and the files with its secrets."""

    memesnipe_home: Folder = setting(Path(".memesnipe"), "folder of this installation's data", decides=False)
    wallet_keypair_filename: OptionalPath = setting(
        None, "keypair file of the wallet; by default one is created for this installation", decides=False
    )
    api_token_filename: OptionalPath = setting(
        None,
        "file with the token for commands (halt, reset, promote, demote); by default one is created",
        decides=False,
    )
    signer_token_filename: OptionalPath = setting(
        None, "file with the secret that the signer and its clients share; by default one is created", decides=False
    )
    signer_policy_filename: OptionalPath = setting(
        None, "file with what the signer signs (docs/signer.md); by default one that signs nothing", decides=False
    )
    signer_state_folder: OptionalPath = setting(
        None, "folder of the signer's spending and audit log; by default in this installation's folder", decides=False
    )

    @property
    def wallet_file(self) -> Path:
        """Return the keypair file of this installation."""
        return self.wallet_keypair_filename or Home(self.memesnipe_home).wallet

    @property
    def token_file(self) -> Path:
        """Return the file with the token for commands."""
        return self.api_token_filename or Home(self.memesnipe_home).token

    @property
    def signer_token_file(self) -> Path:
        """Return the file with the secret that the signer and its clients share."""
        return self.signer_token_filename or Home(self.memesnipe_home).signer_token

    @property
    def signer_policy_file(self) -> Path:
        """Return the file with the signer's policy."""
        return self.signer_policy_filename or Home(self.memesnipe_home).signer_policy

    @property
    def signer_folder(self) -> Path:
        """Return the folder of the signer's spending and audit log."""
        return self.signer_state_folder or Home(self.memesnipe_home).signer
