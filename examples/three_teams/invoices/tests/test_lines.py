import unittest

from invoices.lines import Line, read


class LinesTest(unittest.TestCase):
    def test_a_line(self):
        self.assertEqual(read("3 x 19.9 coffee @7"), Line(3, 1990, "coffee", 7))

    def test_a_name_of_several_words(self):
        self.assertEqual(read("1 x 0.5 green tea @7"), Line(1, 50, "green tea", 7))

    def test_no_line(self):
        with self.assertRaises(ValueError):
            read("three coffees")
