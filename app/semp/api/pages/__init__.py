"""Pages for people: the API's own, and what `/` answers. They load nothing from elsewhere, so they work offline."""
