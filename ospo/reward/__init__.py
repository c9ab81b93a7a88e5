"""Rewards: what a completion is worth, and what it would be worth without some of its parts."""
