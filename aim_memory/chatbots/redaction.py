"""Takes secrets out of a text before anybody keeps it: keys, tokens, passwords, card and account numbers.

A key is known by the shape that its maker gives it, a card or account number by its check digits, a password by the
words around it. What has no shape is not found: this lowers a risk, it does not end it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

Found: TypeAlias = tuple[int, int, str]
"""Start, end, kind."""


@dataclass(frozen=True, slots=True)
class Redacted:
    text: str
    kinds: tuple[str, ...]
    """What was taken out, each kind once, in the order of the text."""


def redact(text: str) -> Redacted:
    """The text with ``[removed: KIND]`` in place of each secret."""
    pieces, kinds, done = [], [], 0
    for start, end, kind in sorted(_found(text), key=lambda found: (found[0], -found[1])):
        if start < done:
            continue
        pieces += [text[done:start], f"[removed: {kind}]"]
        kinds.append(kind)
        done = end
    return Redacted("".join([*pieces, text[done:]]), tuple(dict.fromkeys(kinds)))


def _found(text: str) -> Iterator[Found]:
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            yield *match.span(match.lastgroup or 0), kind
    for kind, pattern, holds in _CHECKED:
        for match in pattern.finditer(text):
            if holds(re.sub(r"[ -]", "", match[0])):
                yield *match.span(), kind


# --- what proves itself --------------------------------------------------------------------------------------------


def _is_card(digits: str) -> bool:
    """An issuer's prefix at its length, and Luhn's check digit (ISO/IEC 7812-1)."""
    return bool(_ISSUERS.fullmatch(digits)) and _luhn(digits)


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * 2 for digit in digits[-2::-2]]
    return (sum(map(int, digits[-1::-2])) + sum(two - 9 if two > 9 else two for two in doubled)) % 10 == 0


def _is_account(iban: str) -> bool:
    """An IBAN: 97 divides it, less one, read as digits (ISO 13616)."""
    moved = iban[4:] + iban[:4]
    return int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1


_ISSUERS = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[68]\d)\d{11}|6(?:011|5\d\d|4[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}"
)
_CHECKED: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("card number", re.compile(r"(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d-])"), _is_card),
    (
        "account number",
        re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", re.ASCII),
        _is_account,
    ),
)

# --- what its maker marked -----------------------------------------------------------------------------------------

_MARKED = {
    "AWS key": r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b",
    "Anthropic key": r"\bsk-ant-[\w-]{20,}",
    "OpenAI key": r"\bsk-(?!ant-|or-)[A-Za-z0-9_-]{20,}",
    "OpenRouter key": r"\bsk-or-[\w-]{20,}",
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,})",
    "GitLab token": r"\bgl(?:pat|dt|rt|ptt|cbt|soat|ft|imt|agent)-[\w-]{20,}",
    "Slack token": r"\bxox[abeoprs](?:\.xox[bp])?-[\w-]{10,}|\bxapp-\d-[\w-]{10,}",
    "Slack webhook": r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[\w/+-]{20,}",
    "Discord token": r"\b[MNO][A-Za-z\d_-]{23,27}\.[\w-]{6}\.[\w-]{27,}",
    "Discord webhook": r"https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/\d+/[\w-]{20,}",
    "Telegram token": r"\b\d{8,10}:[A-Za-z0-9_-]{35}\b",
    "Google key": r"\bAIza[\w-]{35}|\bya29\.[\w-]{20,}|\bGOCSPX-[\w-]{20,}",
    "Stripe key": r"\b(?:[spr]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{24,})",
    "Twilio key": r"\b(?:SK|AC)[0-9a-f]{32}\b",
    "SendGrid key": r"\bSG\.[\w-]{16,32}\.[\w-]{16,64}",
    "Mailgun key": r"\bkey-[0-9a-f]{32}\b",
    "Mailchimp key": r"\b[0-9a-f]{32}-us\d{1,2}\b",
    "npm token": r"\bnpm_[A-Za-z0-9]{36}\b",
    "PyPI token": r"\bpypi-AgE[\w-]{50,}",
    "Hugging Face token": r"\bhf_[A-Za-z0-9]{30,}",
    "Replicate token": r"\br8_[A-Za-z0-9]{30,}",
    "Groq key": r"\bgsk_[A-Za-z0-9]{40,}",
    "xAI key": r"\bxai-[A-Za-z0-9]{40,}",
    "Perplexity key": r"\bpplx-[A-Za-z0-9]{40,}",
    "DigitalOcean token": r"\bdo[opr]_v1_[0-9a-f]{40,}",
    "Heroku key": r"\bHRKU-[\w-]{30,}",
    "Databricks token": r"\bdapi[0-9a-f]{32}(?:-\d)?\b",
    "Shopify token": r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b",
    "Square token": r"\bsq0(?:atp|csp|idp)-[\w-]{22,}",
    "Linear key": r"\blin_(?:api|oauth)_[A-Za-z0-9]{32,}",
    "Notion token": r"\bntn_[A-Za-z0-9]{40,}|\bsecret_[A-Za-z0-9]{43}\b",
    "Figma token": r"\bfig[du]_[\w-]{30,}",
    "Postman key": r"\bPMAK-[0-9a-f]{24}-[0-9a-f]{34}\b",
    "Sentry token": r"\bsntry[su]_[\w+/=-]{40,}",
    "New Relic key": r"\bNR(?:AK|II|RA)-[\w-]{20,}",
    "Grafana token": r"\bgl(?:sa|c)_[\w+/=-]{32,}",
    "Doppler token": r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.[\w.]{40,}",
    "Vault token": r"\bhv[sbr]\.[\w-]{24,}",
    "Terraform token": r"\b[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,}",
    "Airtable token": r"\bpat[A-Za-z0-9]{14}\.[0-9a-f]{64}\b",
    "Atlassian token": r"\bATATT3[\w=-]{40,}",
    "Dropbox token": r"\bsl\.(?:u\.)?[\w-]{60,}",
    "Docker token": r"\bdckr_(?:pat|oat)_[\w-]{20,}",
    "Supabase token": r"\bsb(?:p|_secret)_[\w]{20,}",
    "PlanetScale token": r"\bpscale_(?:tkn|oauth|pw)_[\w.-]{32,}",
    "Azure key": r"\b(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40,}={0,2}",
    "AIM-Memory key": r"\baim_[A-Za-z0-9_]{24,}",
    "signed token": r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}",
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    "password in an address": r"\b[a-z][a-z0-9+.-]*://[^\s/:@]*:(?P<inside>[^\s/]+)@",
}

# --- what people say of it -----------------------------------------------------------------------------------------

_NO_PASSWORD = (
    r"(?!(?:a|an|the|my|your|our|not|no|too|so|very|in|on|at|by|for|from|with|wrong|right|correct|incorrect|required|"
    r"needed|optional|expired|weak|strong|safe|secure|same|different|empty|missing|invalid|valid|important|always|never|"
    r"still|now|also|only|just|what|where|being|going|good|bad|long|short|stored|saved|kept|hashed|protected|what's|set)\b)"
)
_TELLING = r"(?=\S*[\d@#$%^&*_])"
"""An ordinary word has no digits or signs."""
_IS = rf"['\"]?\s*(?:[:=]\s*|\s(?:is|was)\s+|['’]s\s+{_TELLING})"
"""What stands between the word and the secret; JSON quotes the word."""
_QUOTED = r"[\"“`'](?P<quoted>[^\"”`'\n]{2,})[\"”`']"
_SAID = {
    # Names of variables end in the word: DB_PASSWORD, clientSecret.
    "password": r"(?i)(?:password|passwd|passphrase|passcode|pwd|\bpw)"
    rf"(?:\s+\w+){{0,3}}?{_IS}(?:{_QUOTED}|(?:(?:now|still|always|just|currently)\s+{_TELLING})?"
    rf"{_NO_PASSWORD}(?P<inside>[^\s'\"“”`,;]*[^\s'\"”`,;.!?]))",
    "password (zh)": r"(?:密码|密碼|口令)(?:\s*[:：=]\s*|[是为為]\s*)[“\"「]?(?P<inside>[!-~]{4,})",
    "password (elsewhere)": r"(?:[Pp]asswort|[Kk]ennwort|[Cc]ontraseña|[Mm]ot de passe|[Пп]ароль|パスワード|비밀번호)"
    rf"(?:\s*[:：=]\s*|\s*(?:[は은는]|\s(?:ist|es|est|[-—–]))\s*{_TELLING})['\"“„«]?(?P<inside>[!-~]{{4,}})",
    "PIN": r"(?i)\b(?:pin|pin code|cvv|cvc|security code)\s*(?:[:=]|is|was)\s*(?P<inside>\d{3,8})\b",
    "secret": r"(?i)(?:api[ _-]?key|secret(?:[ _-]?(?:access)?[ _-]?key)?|"
    rf"(?:(?:access|auth|bearer|refresh)[ _-]?)?token){_IS}"
    r"['\"“`]?(?P<inside>(?=[^\s'\"”`]*\d)[^\s'\"”`,;]{8,})",
    "bearer token": r"(?i)\bbearer\s+(?P<inside>(?=[^\s]*\d)[\w.~+/=-]{16,})",
    "basic credentials": r"(?i)\bauthorization['\"]?\s*[:=]\s*['\"]?basic\s+(?P<inside>[\w+/-]{6,}={0,2})",
}
# ASCII: a key that follows a Chinese word without a space begins there all the same.
_PATTERNS = [(kind.partition(" (")[0], re.compile(text, re.ASCII)) for kind, text in (_MARKED | _SAID).items()]
