import unittest

from invoices.money import parse, show


class MoneyTest(unittest.TestCase):
    def test_whole_amounts(self):
        self.assertEqual(parse("3"), 300)

    def test_two_digits(self):
        self.assertEqual(parse("19.90"), 1990)

    def test_one_digit_is_tens_of_cents(self):
        self.assertEqual(parse("19.9"), 1990)

    def test_shown_and_parsed_again(self):
        self.assertEqual([parse(show(cents)) for cents in (0, 5, 50, 1990)], [0, 5, 50, 1990])
