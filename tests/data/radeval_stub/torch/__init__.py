"""A stand-in of a machine without a GPU."""


class cuda:  # noqa: N801 - as it is called there
    @staticmethod
    def is_available():
        return False
