"""Owen-Shapley Policy Optimization: token credit for the training of generative search."""
