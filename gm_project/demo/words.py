"""What the demo's people are told of its scopes, authorization types and apps."""

import hashlib
import struct
import zlib
from typing import Final

from grant_management.models import Actor, Client, ClientProfile, Described, Description, Service

LANGUAGES: Final = ("en", "de", "ja")
_LOGO_SIDE: Final = 64
# For each of the languages a name and a sentence.
_SCOPES: Final = {
    "accounts": (
        "medium",
        ("Your accounts", "See the names and numbers of your accounts."),
        ("Ihre Konten", "Namen und Nummern Ihrer Konten sehen."),
        ("口座", "口座の名前と番号を見ることができます。"),
    ),
    "balances": (
        "high",
        ("Balances", "See how much money is in your accounts."),
        ("Kontostände", "Sehen, wie viel Geld auf Ihren Konten ist."),
        ("残高", "口座の残高を見ることができます。"),
    ),
    "transactions": (
        "high",
        ("Transactions", "See what you paid and what you were paid."),
        ("Umsätze", "Sehen, was Sie bezahlt und erhalten haben."),
        ("取引", "支払いと入金の記録を見ることができます。"),
    ),
    "openid": (
        "low",
        ("Sign in", "Know that it is you."),
        ("Anmeldung", "Wissen, dass Sie es sind."),
        ("ログイン", "あなたであることを確認できます。"),
    ),
    "email": (
        "medium",
        ("E-mail address", "See your e-mail address."),
        ("E-Mail-Adresse", "Ihre E-Mail-Adresse sehen."),
        ("メールアドレス", "メールアドレスを見ることができます。"),
    ),
    "profile": (
        "medium",
        ("Profile", "See your name and your picture."),
        ("Profil", "Ihren Namen und Ihr Bild sehen."),
        ("プロフィール", "名前と写真を見ることができます。"),
    ),
}
_TYPES: Final = {
    "account_information": (
        "high",
        ("Account information", "Read from your accounts what is listed in detail."),
        ("Kontoinformationen", "Von Ihren Konten lesen, was im Einzelnen aufgeführt ist."),
        ("口座情報", "詳細にある口座の情報を読むことができます。"),
    ),
    "payment_initiation": (
        "high",
        ("A payment", "Pay from your account the amount that is given in detail."),
        ("Eine Zahlung", "Von Ihrem Konto den genannten Betrag bezahlen."),
        ("支払い", "詳細にある金額を口座から支払うことができます。"),
    ),
}
_APPS: Final = {
    "budget-app": ((11, 107, 46), ("Budget App", "Haushaltsbuch", "家計簿アプリ")),
    "tax-helper": ((23, 78, 166), ("Tax Helper", "Steuerhilfe", "税金ヘルパー")),
    "home-loans": ((138, 79, 6), ("Home Loans", "Baufinanzierung", "住宅ローン")),
}


def describe(service: Service, actor: Actor) -> None:
    """Describe the scopes, the types and all but one of the apps."""
    for kind, described in ((Described.SCOPE, _SCOPES), (Described.AUTHORIZATION_TYPE, _TYPES)):
        for name, (sensitivity, *words) in described.items():
            texts = [
                {"language": tag, "name": text[0], "sentence": text[1]}
                for tag, text in zip(LANGUAGES, words, strict=True)
            ]
            put = Description.objects.put
            put(service, kind, name, actor, sensitivity=sensitivity, texts=texts)
    for client_id, (colour, names) in _APPS.items():
        client = Client.objects.get(service=service, client_id=client_id)
        texts = [{"language": tag, "name": n} for tag, n in zip(LANGUAGES, names, strict=True)]
        site = f"https://{client_id}.example/"
        texts[0] |= {"site": site, "terms": f"{site}terms", "contact": f"help@{client_id}.example"}
        ClientProfile.objects.put(client, actor, texts=texts, logo=_logo(colour, client_id))


def _logo(colour: tuple[int, int, int], seed: str) -> bytes:
    """A PNG (RFC 2083) of squares, mirrored, which differ from app to app."""
    bits = hashlib.sha256(seed.encode()).digest()
    cell = _LOGO_SIDE // 8
    rows = b""
    for y in range(_LOGO_SIDE):
        row = b"\0"  # no filter
        for x in range(_LOGO_SIDE):
            column = min(x // cell, 7 - x // cell)
            is_set = bits[y // cell] >> column & 1
            row += bytes(colour if is_set else (255, 255, 255))
        rows += row
    size = struct.pack(">IIBBBBB", _LOGO_SIDE, _LOGO_SIDE, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", size), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + checksum
