"""The storage that forgets: everything in this process, on networkx."""
