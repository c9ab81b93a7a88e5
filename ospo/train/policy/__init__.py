"""The small policy: a copying decoder, its tokenizer, and how it is warm-started."""
