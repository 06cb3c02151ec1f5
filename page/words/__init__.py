"""The page's fixed texts in short plain sentences, a module for each part. {Braces} are filled by page or script."""

from page.words.answers import *
from page.words.errors import *
from page.words.estimate import *
from page.words.explorer import *
from page.words.exports import *
from page.words.figures import *
from page.words.inputs import *
from page.words.numbers import *
from page.words.tour import *
from page.words.whole import *
from page.words.word_frames import *
