"""Storage in the memory of this process, on networkx. Nothing is kept after the process has ended."""
