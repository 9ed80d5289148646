"""What can go wrong with an archive, told apart by what one has to do about it."""

#: kind -> what to do.
KINDS = {
    "missing": "it isn't in the archive",
    "credentials": "the storage refuses the key: look at s3_access_key and s3_secret_key of this cluster",
    "full": "the storage is full: free space there, or keep fewer backups",
    "unreachable": "the storage doesn't answer: look at its service and at the network",
    "certificate": "the storage's certificate isn't trusted, or has ended: look at its dates, and at saltroni:backup:storage:ca",
    "no_bucket": "the bucket isn't there: make it, or correct saltroni:backup:storage:bucket",
    "clock": "this node's clock is wrong: look at its time synchronization",
    "corrupt": "what is stored is damaged or can't be decrypted",
    "foreign": "the archive belongs to another cluster: choose another bucket or cluster name",
    "gone": "the archive was there and isn't any more: is its file system mounted, its bucket the right one?",
    "differs": "the archive has another content under this name already",
    "timeout": "it took too long",
    "busy": "another backup runs in this cluster",
    "settings": "the settings are wrong: state.apply on this node",
    "database": "PostgreSQL here doesn't answer as needed",
    "other": "see the text",
}


class Failure(RuntimeError):
    """A call to the archive failed.

    Args:
        kind: one of :data:`KINDS`.
        text: what was done and what the tool said, without secrets.
    """

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind if kind in KINDS else "other"
        self.text = text

    @property
    def cure(self):
        """What to do about it, as words."""
        return KINDS[self.kind]

    def __str__(self):
        return f"{self.text} ({self.kind}: {self.cure})"
