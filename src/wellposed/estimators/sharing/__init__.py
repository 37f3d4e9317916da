"""Sharing of fitted estimators: a card beside the file, and the Hugging Face Hub."""
