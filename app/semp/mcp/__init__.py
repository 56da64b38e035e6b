"""The Model Context Protocol: the REST API as tools and resources for models, over stdio and at `/mcp`.

Only `server`, `subscriptions`, `sessions` and `stdio` import the protocol's SDK, and nothing imports them before there is a client.
"""
