"""The same texts in Chinese, under the same names in modules of the same names. Field terms as in Chinese papers."""

from page.words.zh.answers import *
from page.words.zh.errors import *
from page.words.zh.estimate import *
from page.words.zh.explorer import *
from page.words.zh.exports import *
from page.words.zh.figures import *
from page.words.zh.inputs import *
from page.words.zh.numbers import *
from page.words.zh.tour import *
from page.words.zh.whole import *
from page.words.zh.word_frames import *
