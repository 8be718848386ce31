"""Answering questions about single images while somebody watches."""
