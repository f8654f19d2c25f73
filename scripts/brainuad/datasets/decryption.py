"""Read a file that `openssl enc -aes-256-cbc -md sha256` has encrypted, as a stream."""

import base64
import binascii
import hashlib
import io

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

MAGIC = b"Salted__"
MAGIC_BASE64 = base64.b64encode(MAGIC)[:10]  # the last character depends on the salt too
SALT_BYTES = 8
CHUNK = 2**20
BLANKS = b" \t\r\n"


def is_encrypted(start: bytes) -> bool:
    """Whether the first bytes of a file are those of openssl, in binary or in base64."""
    return start.startswith((MAGIC, MAGIC_BASE64))


class DecryptedStream(io.RawIOBase):
    """The plain bytes of an encrypted stream, from its start to its end, a mebibyte at a time.

    A wrong password shows only in the plain bytes: the format has no check except the padding at
    the end. Raises ValueError for a stream that is cut short, damaged, or not base64.

    Source: EVP_BytesToKey of OpenSSL, one iteration, for the key and the initial vector.
    """

    def __init__(self, encrypted: io.BufferedReader, *, password: bytes) -> None:
        super().__init__()
        self._encrypted = encrypted
        self._base64 = encrypted.peek(len(MAGIC_BASE64)).startswith(MAGIC_BASE64)
        self._characters = b""
        self._plain = memoryview(b"")
        self._ended = False
        # The salt is the 8 bytes after the magic; base64 is decoded in groups, so more may follow.
        start = self._read_encrypted()
        salt = start[len(MAGIC) : len(MAGIC) + SALT_BYTES]
        if len(salt) < SALT_BYTES:
            raise ValueError("it ends within its first line")
        key = hashlib.sha256(password + salt).digest()
        vector = hashlib.sha256(key + password + salt).digest()[: AES.block_size // 8]
        self._decryptor = Cipher(AES(key), CBC(vector)).decryptor()
        self._unpadder = PKCS7(AES.block_size).unpadder()
        self._decrypt(start[len(MAGIC) + SALT_BYTES :])

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        while not self._plain and not self._ended:
            self._decrypt(self._read_encrypted())
        count = min(len(buffer), len(self._plain))
        buffer[:count] = self._plain[:count]
        self._plain = self._plain[count:]
        return count

    def _decrypt(self, chunk: bytes) -> None:
        if chunk:
            self._plain = memoryview(self._unpadder.update(self._decryptor.update(chunk)))
            return
        self._ended = True
        # Both raise ValueError: for an incomplete block, and for padding that is not PKCS7.
        self._decryptor.finalize()
        self._plain = memoryview(self._unpadder.finalize())

    def _read_encrypted(self) -> bytes:
        """The next bytes, decoded if the stream is base64; none at the end."""
        content = self._encrypted.read(CHUNK)
        if not self._base64:
            return content
        while content:
            self._characters += content.translate(None, BLANKS)
            whole = len(self._characters) // 4 * 4
            if whole:
                break
            content = self._encrypted.read(CHUNK)
        else:
            whole = len(self._characters)
        group, self._characters = self._characters[:whole], self._characters[whole:]
        try:
            return base64.b64decode(group, validate=True)
        except binascii.Error as error:
            raise ValueError("its base64 is damaged") from error
