"""Rights signals: what text and page say of copyright, licences and identity, kept as evidence."""
