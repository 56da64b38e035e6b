"""The Model Context Protocol (MCP): the REST API as tools and resources for language models, over stdio and at `/mcp`.

Only `server`, `subscriptions`, `sessions` and `stdio` import the protocol's SDK. They are imported only when the first client connects.
"""
