"""Explorer: the canvas of frames, its readings and the timeline, in Chinese."""

EXPLORE = """## 每个 token 经历了什么
看起来相似的图块合并成一个视觉 token；然后逐层剪掉最不重要的 token。指向一个图块可以读它，点一下可以跟踪它的组。"""

WHY_MERGE_NAME = "为什么要合并？"
WHY_MERGE = """天空或墙面会产生许多几乎相同的图块，而模型要把它们逐个读一遍。合并时，token 交替分成两组；\
第一组的每个 token 在第二组里找到与自己最相似的一个（余弦相似度），最相似的那些对取平均。\
一轮最多去掉一半，所以保留比例为 25 % 时要做两轮。组不会跨帧。"""

WHY_PRUNE_NAME = "为什么用 PageRank 剪枝？"
WHY_PRUNE = """到了语言模型的中间层，文本已经从画面里读到了大部分所需的内容。如果重要的 token 都在关注某个 \
token，它就重要：在该层注意力上计算的 PageRank 给出这个重要性。注意力只能往回看，所以靠前的 token 得分更高；\
可以对比*排名*和*对数*分数。文本 token 从不剪掉。被剪掉的 token 真的离开序列，\
所以省下的预填充时间是实测的，不是估计的。"""

WHY_MARKS_NAME = "为什么要手动标记图块？"
WHY_MARKS = """分数图只说明方法认为什么重要，没有说明答案需要什么。标记可以检验：移除某个物体的 token，再问一次，\
看答案是否垮掉；或者在保留比例过低时保护它们，看答案是否回来。两次运行之间没有别的变化，\
所以差别就是这些 token 的作用。"""

NAMES = {
    "frame": "第 {first} 帧",
    "frames": "第 {first}–{last} 帧",
    "whole": "整幅图（{rows}×{columns}）",
    "crop": "裁块 {number}",
}

EXPLORER = {
    "viewsName": "在帧上显示什么",
    "views": {
        "original": "原图",
        "groups": "组",
        "alive": "仍在",
        "scores": "PageRank",
        "size": "组的大小",
        "death": "最后一层",
    },
    "scalesName": "PageRank 的刻度",
    "scales": {"rank": "排名", "log": "对数分数"},
    "zoomsName": "显示多少帧",
    "zooms": {"all": "所有帧", "one": "单帧"},
    "notes": {
        "original": "模型得到的帧。",
        "groups": "同色且有轮廓的一块区域是一个合并后的 token。",
        "alive": "进入这一层的 token 保持原色。",
        "scores": "每个 token 对这一层有多重要：注意力上的 PageRank。",
        "size": "多少个图块共用一个 token。",
        "death": "每个 token 进入的最后一层。",
    },
    "legend": {
        "merged": "已合并",
        "single": "未合并",
        "alive": "进入这一层",
        "gone": "之前已剪枝",
        "rank": ["最不重要", "最重要"],
        "log": ["低分", "高分，对数刻度"],
        "early": "早",
        "late": "直到最后",
    },
    "stepsName": "一步一步看",
    "steps": {"round": "轮次", "iteration": "迭代"},
    "stepNotes": {
        "round": [
            "合并之前，每个图块自己就是一个视觉 token。",
            "在一轮里，每隔一个 token 可以并入另一半中与它最相似的那个；最强的连接胜出。",
        ],
        "iteration": [
            "第一次迭代之前，这一层的每个 token 占同样的份额。",
            "每次迭代，每个 token 把自己的份额传给它所关注的 token。",
        ],
    },
    "before": "之前",
    "tokens": "{count} 个视觉 token",
    "tokensName": "个 token",
    "links": "连接",
    "head": "注意力头",
    "allHeads": "所有头",
    "oneHead": "第 {head} 头",
    "playSteps": "逐步播放",
    "stepBack": "后退一步",
    "stepNext": "前进一步",
    "toolsName": "点一个图块会做什么",
    "tools": {"look": "查看", "protect": "+ 保护", "remove": "× 移除"},
    "clear": "清除",
    "ask": "带着这些标记再问一次",
    "marksHint": "手动保护或移除一些组，再看回答有什么变化。",
    "marksNew": "保护 {protect} 个，移除 {remove} 个；还没有再问。",
    "marksAsked": "这次运行带着这些标记：保护 {protect} 个，移除 {remove} 个。",
    "marksGone": "这次运行的标记已清除；再问一次可以看没有标记时的结果。",
    "marksBoth": "有一个 token 同时被标为保护和移除：点它选一个。",
    "nearest": "第 {layer} 层没有测量；这里是第 {measured} 层的分数。",
    "noScores": "没有剪枝，所以没有测量分数。",
    "canvasName": "这次运行的帧。方向键读图块，回车键固定一个。",
    "empty": "选一个示例或上传视频，提问，然后按“运行”。",
    "layer": "层",
    "frame": "帧",
    "of": "{value} / {most}",
    "playLayers": "逐层播放",
    "playFrames": "逐帧播放",
    "captions": {
        "frame": "{first} · {seconds} 秒",
        "frames": "第 {first}–{last} 帧 · {seconds} 秒",
        "whole": "整幅图 · {rows}×{columns}",
        "crop": "裁块 {number} · {row} 行 {column} 列",
    },
    "names": NAMES,
    "readingName": "这个图块",
    "fields": {
        "place": "位置",
        "group": "组",
        "size": "组内图块",
        "similarity": "与所属 token 的相似度",
        "rank": "排名",
        "score": "分数",
        "fate": "去向",
    },
    "place": "{name}，{row} 行 {column} 列",
    "placeSpoken": "{name}，第 {row} 行，第 {column} 列",
    "rankOf": "{place} / {of}",
    "stays": "留到最后",
    "goesAfter": "第 {layer} 层后剪枝",
    "removedFate": "手动移除",
    "protectedFate": "受保护；{fate}",
    "spoken": "{spoken}。第 {group} 组，组内图块 {size} 个，与所属 token 的相似度 {similarity}。"
    "在第 {measured} 层排名 {rank}，分数 {score}。去向：{fate}。",
    "lifeName": "这个 token 的一生",
    "lifeHint": "点一个图块，或在它上面按回车键：它的组会亮起来，这里讲它的一生。",
    "bornAs": "一个图块：{place}。",
    "mergedWith": "与另外 {others} 个图块合并成第 {group} 组，一个视觉 token。",
    "notMerged": "没有相似的图块：它自己就是一个视觉 token。",
    "protected": "手动保护：排在所有其他 token 之前。",
    "removed": "在第 0 层之前被手动移除。",
    "survives": "走完全部 {layers} 层。",
    "prunedBelow": "第 {layer} 层后剪枝：排名 {place} / {of}，只有 {stay} 个进入第 {next} 层。",
    "prunedAll": "第 {layer} 层后与其余 token 一起剪枝；它排名 {place} / {of}。",
    "prunedUnscored": "第 {layer} 层后剪枝。",
    "chartNote": {
        "rank": "各测量层中的排名。短横线：还能继续的最后一名。",
        "log": "各测量层中的分数，按该层的对数刻度。短横线：还能继续的最低分。",
    },
    "rankAt": "第 {layer} 层：排名 {place} / {of}",
    "high": "最高",
    "low": "最低",
    "timeName": "逐帧看",
    "timeLead": "柱：每一帧占 PageRank 的份额。下方：它有多少 token 进入每一层。",
    "timeCanvas": "帧与层的时间线。方向键选择帧和层。",
    "share": "份额",
    "framesLeft": "在第 {layer} 层，{frames} 帧中有 {left} 帧还有视觉 token。",
    "topFrame": "第 {layer} 层中，{name}占的 PageRank 最多：{share}。",
    "timeWhy": "注意力只能往回看：后面的 token 可以指向前面的，反过来不行。所以 PageRank 流向最前面的帧，"
    "最后的帧往往最先被剪掉。可以对比一个问视频开头的问题和一个问结尾的问题。",
    "why": "为什么？",
    "keysName": "按键",
    "keys": "方向键：下一个图块 · Page up、Page down：下一帧 · 回车：固定 · Esc：取消固定 · [ 和 ]：层 · "
    "1 到 6：视图 · Z：单帧或所有帧 · P：逐层播放 · , 和 .：轮次或迭代 · L、+、-：用回车查看、保护或移除 · C：清除标记",
}
