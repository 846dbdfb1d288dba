"""Secrets are taken out before storage; what only looks a little like one stays."""

from __future__ import annotations

import string

import pytest

from aim_memory.chatbots.redaction import redact

HEX = "0123456789abcdef" * 8
WORD = string.ascii_letters + string.digits
# Put together here, so that no scanner of sources takes an example for a leak.
SECRETS = [
    ("AWS key", "AKIA" + "IOSFODNN7EXAMPL1"),
    ("AWS key", "ASIA" + "IOSFODNN7EXAMPL1"),
    ("Anthropic key", "sk-" + "ant-api03-" + WORD),
    ("OpenAI key", "sk-" + WORD[:48]),
    ("OpenAI key", "sk-" + "proj-" + WORD),
    ("OpenRouter key", "sk-" + "or-v1-" + HEX[:64]),
    ("GitHub token", "ghp_" + WORD[:36]),
    ("GitHub token", "gho_" + WORD[:36]),
    ("GitHub token", "ghs_" + WORD[:36]),
    ("GitHub token", "github_" + "pat_" + WORD[:22] + "_" + WORD[:59]),
    ("GitLab token", "glpat-" + WORD[:20]),
    ("GitLab token", "glrt-" + WORD[:20]),
    ("Slack token", "xoxb-" + "123456789012-1234567890123-" + WORD[:24]),
    ("Slack token", "xoxp-" + "123456789012-1234567890123-" + WORD[:24]),
    ("Slack token", "xapp-" + "1-A111-222-" + HEX[:64]),
    ("Slack webhook", "https://hooks.slack.com/services/" + "T00000000/B00000000/" + WORD[:24]),
    ("Discord token", "M" + WORD[:25] + "." + WORD[:6] + "." + WORD[:38]),
    ("Discord webhook", "https://discord.com/api/webhooks/" + "1234567890/" + WORD),
    ("Telegram token", "123456789:" + "AA" + WORD[:33]),
    ("Google key", "AIza" + WORD[:35]),
    ("Google key", "ya29." + WORD),
    ("Google key", "GOCSPX-" + WORD[:28]),
    ("Stripe key", "sk_" + "live_" + WORD[:24]),
    ("Stripe key", "rk_" + "test_" + WORD[:24]),
    ("Stripe key", "whsec_" + WORD[:32]),
    ("Twilio key", "SK" + HEX[:32]),
    ("SendGrid key", "SG." + WORD[:22] + "." + WORD[:43]),
    ("Mailgun key", "key-" + HEX[:32]),
    ("Mailchimp key", HEX[:32] + "-us12"),
    ("npm token", "npm_" + WORD[:36]),
    ("PyPI token", "pypi-" + "AgE" + WORD),
    ("Hugging Face token", "hf_" + WORD[:34]),
    ("Replicate token", "r8_" + WORD[:37]),
    ("Groq key", "gsk_" + WORD[:52]),
    ("xAI key", "xai-" + WORD),
    ("Perplexity key", "pplx-" + WORD[:48]),
    ("DigitalOcean token", "dop_" + "v1_" + HEX[:64]),
    ("Heroku key", "HRKU-" + "01234567-89ab-cdef-0123-456789abcdef"),
    ("Databricks token", "dapi" + HEX[:32]),
    ("Shopify token", "shpat_" + HEX[:32]),
    ("Square token", "sq0atp-" + WORD[:22]),
    ("Linear key", "lin_" + "api_" + WORD[:40]),
    ("Notion token", "ntn_" + WORD[:46]),
    ("Figma token", "figd_" + WORD[:40]),
    ("Postman key", "PMAK-" + HEX[:24] + "-" + HEX[:34]),
    ("Sentry token", "sntrys_" + WORD),
    ("New Relic key", "NRAK-" + WORD[:27]),
    ("Grafana token", "glsa_" + WORD[:32] + "_" + HEX[:8]),
    ("Doppler token", "dp.pt." + WORD[:43]),
    ("Vault token", "hvs." + WORD[:30]),
    ("Terraform token", WORD[:14] + ".atlasv1." + WORD + WORD[:8]),
    ("Airtable token", "pat" + WORD[:14] + "." + HEX[:64]),
    ("Atlassian token", "ATATT3" + "xFfGF0" + WORD),
    ("Dropbox token", "sl." + WORD + WORD),
    ("Docker token", "dckr_" + "pat_" + WORD[:27]),
    ("Supabase token", "sbp_" + HEX[:40]),
    ("PlanetScale token", "pscale_" + "tkn_" + WORD[:43]),
    ("Azure key", "AccountKey=" + WORD + WORD[:24] + "=="),
    ("AIM-Memory key", "aim_" + WORD[:40]),
    ("signed token", "eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"),
    ("private key", "-----BEGIN RSA PRIVATE" + " KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----"),
    ("card number", "4111 1111 1111 1111"),
    ("card number", "5500-0000-0000-0004"),
    ("card number", "378282246310005"),
    ("card number", "6011111111111117"),
    ("card number", "2223003122003222"),
    ("card number", "30569309025904"),
    ("card number", "3530111333300000"),
    ("card number", "6200000000000005"),
    ("account number", "DE89 3704 0044 0532 0130 00"),
    ("account number", "GB29NWBK60161331926819"),
    ("account number", "FR14 2004 1010 0505 0001 3M02 606"),
]


@pytest.mark.parametrize(("kind", "secret"), SECRETS)
def test_a_secret_is_taken_out_and_the_rest_stays(kind: str, secret: str) -> None:
    for text in (
        secret,
        f"Use {secret} for that.",
        f"看这里：{secret}，谢谢。",
        f"密钥{secret}别告诉他",
        f"`{secret}`",
    ):
        found = redact(text)
        assert found.kinds == (kind,), text
        assert secret not in found.text
        assert found.text == text.replace(secret, f"[removed: {kind}]")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("my password is swordfish", "my password is [removed: password]"),
        ("Password: Tr0ub4dor&3, do not tell", "Password: [removed: password], do not tell"),
        ('the wifi password is "blue-Heron-42".', 'the wifi password is "[removed: password]".'),
        ("password for the router: 8JkW_2!x", "password for the router: [removed: password]"),
        ('the wifi password is "blue heron"', 'the wifi password is "[removed: password]"'),
        ("my new password is now hunter2", "my new password is now [removed: password]"),
        ("my password's hunter2", "my password's [removed: password]"),
        ("pw: hunter2", "pw: [removed: password]"),
        ('{"password": "hunter2", "n": 1}', '{"password": "[removed: password]", "n": 1}'),
        ("DB_PASSWORD=hunter2\nPORT=1", "DB_PASSWORD=[removed: password]\nPORT=1"),
        ("dbPassword = 'x y z'", "dbPassword = '[removed: password]'"),
        ('"client_secret": "abcd1234efgh5678"', '"client_secret": "[removed: secret]"'),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "aws_secret_access_key = [removed: secret]"),
        ("MY_API_KEY=abcd1234efgh", "MY_API_KEY=[removed: secret]"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "Authorization: Basic [removed: basic credentials]"),
        ("postgres://u:p@ss@host/db", "postgres://u:[removed: password in an address]@host/db"),
        ("Passwort: geheim", "Passwort: [removed: password]"),
        ("La contraseña es hola123", "La contraseña es [removed: password]"),
        ("Пароль: qwerty1", "Пароль: [removed: password]"),
        ("パスワードはabc12345です", "パスワードは[removed: password]です"),
        ("密码是Hunter2000", "密码是[removed: password]"),
        ("我的口令：abcd1234。", "我的口令：[removed: password]。"),
        ("My PIN is 4821.", "My PIN is [removed: PIN]."),
        ("api_key = 9f8e7d6c5b4a", "api_key = [removed: secret]"),
        ("Authorization: Bearer abcdef0123456789abcd", "Authorization: Bearer [removed: bearer token]"),
        ("postgresql://ada:hunter2@db/memory", "postgresql://ada:[removed: password in an address]@db/memory"),
    ],
)
def test_what_is_said_to_be_a_secret_is_one(text: str, kept: str) -> None:
    assert redact(text).text == kept


@pytest.mark.parametrize(
    "text",
    [
        "My dentist is Dr. Okafor, call 030 1234567 or +49 170 1234567.",
        "The password is required.",
        "The password is now required, and still not changed.",
        "My password's length is twelve.",
        "Das Passwort ist wichtig.",
        "The tokenizer is a secretary: no tokens: none.",
        "The secret is out, and the token is valid.",
        "I forgot my password again.",
        "密码是什么？",
        "The pin is on the table.",
        "Order 4111111111111112 came on 2026-03-02.",
        "The tracking number is 1234567890123456.",
        "Message 1717171717.000100 in C0123456789",
        "ISBN 978-3-16-148410-0 and the year 2026",
        "0191f3a2-7c1d-7e2b-9d3f-0123456789ab",
        "commit 364b836f0c1d2e3a4b5c6d7e8f901234567890ab",
        "Meet at 48.8584, 2.2945, budget 12,500.00 euros",
        "see https://example.org:8080/path?x=1 and http://127.0.0.1:8765/v1",
        "DE00 3704 0044 0532 0130 00 has a wrong check digit",
        "She said sk-8 is a skate shop; ask for the ghp_ sticker.",
        "预算是三万欧元，电话 13800138000。",
        "The bearer of good news came late.",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text).kinds == ()
    assert redact(text).text == text


def test_there_are_more_than_forty_formats() -> None:
    assert len({kind for kind, _ in SECRETS}) >= 40


def test_several_secrets_in_one_text_are_all_taken_out() -> None:
    text = "\n".join(secret for _, secret in SECRETS)
    found = redact(text)
    assert all(secret not in found.text for _, secret in SECRETS)
    assert redact(found.text).text == found.text


def test_a_private_key_that_is_cut_off_is_taken_out_to_the_end() -> None:
    assert redact("so: -----BEGIN PRIVATE" + " KEY-----\nb3BlbnNzaC1rZXkt").text == "so: [removed: private key]"
