"""Invoices from lines of text. Each module contains a bug on purpose, which its tests find."""
