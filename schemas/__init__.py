"""What a record is: column names, Arrow schemas, reasons and errors. Imports nothing of ours."""
