import unittest

from invoices.tax import tax, tax_on


class TaxTest(unittest.TestCase):
    def test_percent(self):
        self.assertEqual(tax(1000, 7), 70)

    def test_a_half_is_rounded_up(self):
        self.assertEqual(tax(50, 5), 3)

    def test_less_than_a_half_is_rounded_down(self):
        self.assertEqual(tax(20, 7), 1)

    def test_of_a_text(self):
        self.assertEqual(tax_on("0.5", 19), 10)
