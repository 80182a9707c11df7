"""What schemathesis must not send.

A webhook's address that could be a real server's is sent with a local name instead, which the server refuses, so that no
test reaches out of this machine. A change of the very account that schemathesis signs in with is sent for an account that
does not exist, or every later request would be refused for want of a session."""

import os

import schemathesis

LOCAL = "https://localhost/hook"
OWN_ACCOUNT = os.environ["OWN_ACCOUNT"]
NO_ACCOUNT = "00000000-0000-7000-8000-000000000000"


def replace_addresses(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "webhook_url" and isinstance(inner, str):
                value[key] = LOCAL
            else:
                replace_addresses(inner)
    elif isinstance(value, list):
        for inner in value:
            replace_addresses(inner)


@schemathesis.hook
def before_call(context, case, kwargs):
    replace_addresses(case.body)
    if str((case.path_parameters or {}).get("id", "")).lower() == OWN_ACCOUNT:
        case.path_parameters["id"] = NO_ACCOUNT
