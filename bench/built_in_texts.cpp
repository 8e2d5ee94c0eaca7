#include "bench/corpus.hpp"

namespace parley::bench {

std::vector<std::string> built_in_texts() {
  return {
    "Are you on your way? We kept you a seat by the window.",
    "The train is late again, about twenty minutes. Start without me, please.",
    "Ok.",
    "Danke, das passt gut! Um acht vor dem Kino? Ich bringe die Karten mit.",
    "Können wir das morgen früh in Ruhe besprechen? Heute wird es bei mir "
    "leider zu spät.",
    "¿Quedamos a las nueve en la plaza? Llevaré el libro que me prestaste el "
    "año pasado.",
    "Ça marche. Je t'envoie l'adresse dès que j'arrive au bureau.",
    "Привет! Ты уже дома? Позвони мне, когда будет минутка.",
    "Встреча переносится на четверг, в половине одиннадцатого. Комната та же.",
    "Καλημέρα! Πώς πάει η δουλειά; Τα λέμε το απόγευμα.",
    "你好！今天晚上一起吃饭吧，七点在车站见。",
    "明天的会议改到下午三点，请大家带上各自的笔记。",
    "了解しました。資料は今日中に送ります。よろしくお願いします。",
    "오늘 저녁에 시간 있어요? 새로 생긴 식당에 같이 가요.",
    "مرحبا! هل وصلت إلى البيت؟ أرسل لي رسالة عندما تستطيع.",
    "שלום! מה שלומך? נדבר מחר בבוקר.",
    "नमस्ते! क्या आप कल दोपहर को मिल सकते हैं?",
    "สวัสดีครับ พรุ่งนี้เจอกันตอนเช้านะ",
    "👍🏽",
    "See you there 🚲 — bring the map, mine got wet ☔",
  };
}

} // namespace parley::bench
