import unittest

from invoices.report import report

SHOWN = """\
green tea           0.50
sugar               0.50
cup                 2.00
tax 7 %             0.07
tax 19 %            0.38
total               3.45"""


class ReportTest(unittest.TestCase):
    def test_a_report(self):
        self.assertEqual(report("1 x 0.5 green tea @7\n5 x 0.1 sugar @7\n1 x 2 cup @19"), SHOWN)
