"""An SFTP server on loopback that serves one folder to one password, as paramiko's own server does the protocol."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import paramiko

PASSWORD = "open sesame"


class _Door(paramiko.ServerInterface):
    def check_auth_password(self, username: str, password: str) -> int:
        return paramiko.AUTH_SUCCESSFUL if password == PASSWORD else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


def _answer(error: OSError) -> int:
    return paramiko.SFTPServer.convert_errno(error.errno)


class _Folder(paramiko.SFTPServerInterface):
    def __init__(self, server: paramiko.ServerInterface, folder: Path):
        super().__init__(server)
        self._folder = folder

    def _at(self, path: str) -> Path:
        return self._folder / self.canonicalize(path).lstrip("/")

    def stat(self, path: str):
        try:
            return paramiko.SFTPAttributes.from_stat(self._at(path).stat())
        except OSError as error:
            return _answer(error)

    lstat = stat

    def list_folder(self, path: str):
        try:
            files = list(self._at(path).iterdir())
            return [paramiko.SFTPAttributes.from_stat(file.stat(), file.name) for file in files]
        except OSError as error:
            return _answer(error)

    def open(self, path: str, flags: int, attr):
        try:
            number = os.open(self._at(path), flags, 0o644)
        except OSError as error:
            return _answer(error)
        handle = paramiko.SFTPHandle(flags)
        mode = "wb" if flags & os.O_WRONLY else "r+b" if flags & os.O_RDWR else "rb"
        handle.readfile = handle.writefile = os.fdopen(number, mode)
        return handle

    def mkdir(self, path: str, attr) -> int:
        return self._done(self._at(path).mkdir)

    def remove(self, path: str) -> int:
        return self._done(self._at(path).unlink)

    @staticmethod
    def _done(do) -> int:
        try:
            do()
        except OSError as error:
            return _answer(error)
        return paramiko.SFTP_OK


def _serve(listener: socket.socket, key: paramiko.PKey, folder: Path) -> None:
    with suppress(OSError):  # the listener was closed
        while True:
            connection, _ = listener.accept()
            transport = paramiko.Transport(connection)
            transport.daemon = True
            transport.add_server_key(key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Folder, folder=folder)
            with suppress(paramiko.SSHException, EOFError):
                transport.start_server(server=_Door())


@contextmanager
def sftp_server(folder: Path) -> Iterator[tuple[int, paramiko.PKey]]:
    """The port and the host key of a server of this folder."""
    key = paramiko.ECDSAKey.generate()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        threading.Thread(target=_serve, args=(listener, key, folder), daemon=True).start()
        yield listener.getsockname()[1], key
