"""Pages for people: the API reference and the front page. They load nothing from other hosts, so they work offline."""
