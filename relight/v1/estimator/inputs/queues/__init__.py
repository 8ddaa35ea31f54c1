"""Feeding of arrays through queues: feed functions and the threads that run them."""
