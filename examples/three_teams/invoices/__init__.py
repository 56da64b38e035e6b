"""Invoices from lines of text. Every module of it has a mistake, which its tests know and its authors do not."""
