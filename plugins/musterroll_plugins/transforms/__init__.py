"""The built-in transforms: values as they should be, before rules see them."""
