"""What it is: whoever gives access tokens out: keys, the file with their public parts, and tokens that they sign."""

import base64
import json
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

EVERYTHING = "rabbitmq.read:*/* rabbitmq.write:*/* rabbitmq.configure:*/*"


def base64url(number, size):
    return base64.urlsafe_b64encode(number.to_bytes(size, "big")).rstrip(b"=").decode()


class Issuer:
    """Writes jwks.json into the folder; renew() makes new keys."""

    def __init__(self, folder):
        self.path = folder / "jwks.json"
        self.generation = 0
        self.renew()

    def renew(self):
        self.generation += 1
        self.keys = {"RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
                     "ES256": ec.generate_private_key(ec.SECP256R1())}
        r = self.keys["RS256"].public_key().public_numbers()
        e = self.keys["ES256"].public_key().public_numbers()
        written = [{"kty": "RSA", "kid": self.key_id("RS256"), "use": "sig", "n": base64url(r.n, 256), "e": base64url(r.e, 3)},
                   {"kty": "EC", "kid": self.key_id("ES256"), "crv": "P-256", "x": base64url(e.x, 32), "y": base64url(e.y, 32)}]
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps({"keys": written}))
        new.replace(self.path)

    def key_id(self, algorithm):
        return f"{algorithm}-{self.generation}"

    def token(self, scope=EVERYTHING, seconds=600, algorithm="RS256", **claims):
        written = {"sub": "ann", "aud": ["rabbitmq"], "exp": int(time.time()) + seconds, "scope": scope, **claims}
        return jwt.encode(written, self.keys[algorithm], algorithm=algorithm,
                          headers={"kid": self.key_id(algorithm)})

    def settings(self, backends="internal,oauth2"):
        return [f"auth.backends={backends}", f"oauth2.jwks_file={self.path}", "oauth2.resource_server_id=rabbitmq",
                "oauth2.leeway_s=0", "reload_interval_ms=50"]
