"""What stands in front of every route, socket and `/mcp`: hosts, origins, headers, and who asks. See `chain`."""
