//! Hashing passwords: argon2id with the library's parameters, off the async threads, a few at a time.
