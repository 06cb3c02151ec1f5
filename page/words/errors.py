"""Errors: what cannot be done, and what to do about it. Each sentence has a title in TITLES."""

NO_QUESTION = "Type a question first."
LONG_QUESTION = "The question has {count} words; ask in at most {most}."
NO_MEDIA = "Upload a video or an image, or pick a sample, then press Run."
BAD_SETTINGS = "These settings do not work: {reason}."
EARLY = "this model needs all its visual tokens up to layer {least}, so l1 must be at least {least}, got {l1}"
PICTURES_ONLY = "This model reads pictures only. Upload one under Image, or ask about a single frame."
BAD_FRAMES = "Choose between 1 and {most} frames, not {count}."
NOT_WHOLE = "{name} must be a whole number, got {value}"
NUM_FRAMES = "the number of frames"
NO_MEMORY = "Not enough memory. Use fewer frames or a smaller model."
WENT_WRONG = "Something went wrong here. Try again or try another file."
RESULT_GONE = "This result has made room for newer ones. Press Run again."
UNKNOWN = "Words of this question that the model has never seen: {count}. The answer may mean nothing."
BAD_MARKS = "These marks do not fit the frames on the page. Press Run, then mark patches again."
BAD_MARKS_BOTH = "These marks cannot be kept together: {reason}."
MARKS_OFF = "Your marks were taken off: {reason}."
NO_RUN = "Press Run first; then mark patches and ask again."

TITLES = {
    "question": "No question",
    "long": "Question too long",
    "media": "Nothing to look at",
    "settings": "Settings",
    "file": "This file cannot be used",
    "memory": "Memory",
    "wrong": "Sorry",
    "gone": "Run again",
    "unknown": "New words",
    "marks": "By hand",
    "link": "This link",
    "stopped": "Stopped",
}
