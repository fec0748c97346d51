"""Tests of Tidings, their supports, and the demo that is made of the same parts."""
