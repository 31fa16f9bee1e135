"""One call with the `varlink` package.

    varlink_call.py SOCKET INTERFACE.METHOD PARAMETERS

Prints what came back as JSON; an error as {"error": NAME, "parameters": …}.
"""

import json
import sys

import varlink

socket, full_name, parameters = sys.argv[1:]
interface, method = full_name.rsplit(".", 1)

try:
    with varlink.Client(address=f"unix:{socket}") as client, client.open(interface) as connection:
        answer = getattr(connection, method)(**json.loads(parameters))
except varlink.VarlinkError as error:
    answer = {"error": error.error(), "parameters": error.parameters()}
print(json.dumps(answer))
