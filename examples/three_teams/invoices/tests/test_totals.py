import unittest

from invoices.lines import read
from invoices.totals import net, taxes


class TotalsTest(unittest.TestCase):
    def setUp(self):
        self.lines = [read(line) for line in ("1 x 0.5 green tea @7", "5 x 0.1 sugar @7", "1 x 2 cup @19")]

    def test_net(self):
        self.assertEqual(net(self.lines), 300)

    def test_tax_is_of_the_sum_of_a_rate(self):
        self.assertEqual(taxes(self.lines), {7: 7, 19: 38})
