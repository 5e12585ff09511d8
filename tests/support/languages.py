"""Names of people as forty languages write them, and the encodings older than UTF-8 that people there save lists in."""

from __future__ import annotations

# With Windows-1252 these are right, whatever the size of the list.
WESTERN: dict[str, str] = {
    "English": "Zoë Renée Chloë Brontë André Noël Siân Beyoncé O’Brien D’Arcy Anaïs Esmé Zoé Raphaël",
    "German": ("Jürgen Müller Änne Krüger Jörg Weiß Käthe Schröder Günther Böhm Ümit Strauß Öztürk Groß Förster Mäder"),
    "French": "Hélène Lefèvre François Benoît Zoé Gaël Chloë Côté Jérôme Noël Anaïs Müller Cœur Hervé Desprès Çelik",
    "Spanish": "José Peña María Núñez Íñigo Ángel Martínez Óscar Agüero Sánchez Begoña Úrsula Güell Muñoz Mª",
    "Portuguese": "João Conceição Inês Gonçalves António Magalhães Luís Simões Antônio Araújo Mônica Assunção Ângela",
    "Italian": "Niccolò Nicolò Noè Mosè D’Alò Forlì Cantù Foà Calì Corrà Dalò Salomè Pietà Gesù Bartolomé",
    "Dutch": (
        "Zoë Loïs Daniël Rafaël André Noëlle Chloé Eloïse Mariëlle Jérôme Michèle Françoise Thérèse Gérard "
        "Joël Joëlle Raphaël Israël Cornée Tiësto Geërfd Bernoüilli Coördinator Daniëlle Ruïne"
    ),
    "Swedish": "Åsa Håkan Björn Sjögren Märta Öberg Åström Bäck Göran Malmö Ålund Sjöberg Hållén Östlund",
    "Danish": "Søren Jørgensen Bjørn Ægidius Åse Kjær Øster Møller Håndværk Sørensen Nørgaard Mærsk Pålsson",
    "Norwegian": "Bjørn Åse Øystein Håkon Sæther Bø Kjærstad Ødegård Tømte Gård Pål Næss Sørbø André",
    "Finnish": "Päivi Mäkinen Yrjö Hämäläinen Väinö Järvinen Särkelä Äijö Öhman Ståhl Töyrylä Häkkinen Kärkkäinen",
    "Icelandic": "Guðrún Þórður Björk Sævar Ólafur Ýmir Æsa Jón Sigurðsson Örn Ágústsdóttir Höskuldur Þorgerður",
    "Catalan": "Núria Jordà Òscar Martí Llúcia Àngel Força Ramírez Raül Bàrbara Joaquín Gràcia Muñoz Solé",
    "Irish": "Seán Ó Siobhán Máire Pádraig Róisín Éamon Úna Caoimhín Fíona Órla Tomás Bláthnaid",
    "Luxembourgish": "Léon Hélène Wëlter René Géraldine Clément Schröder Müller Bäcker Désirée",
}
WESTERN_ENCODINGS = ("cp1252", "mac_roman", "cp850", "cp437")

OTHER: dict[str, tuple[tuple[str, ...], str]] = {
    "Polish": (
        ("cp1250", "iso8859_2", "cp852", "mac_latin2"),
        (
            "Łukasz Żółć Błażej Wójcik Grażyna Święch Małgorzata Ząbek Kołodziej Kędzierski Śliwa Dąbrowski Żuk "
            "Mikołaj Jabłoński Gołębiewski"
        ),
    ),
    "Czech": (
        ("cp1250", "iso8859_2", "cp852", "mac_latin2"),
        (
            "Jiří Dvořák Řehoř Šťastný Tomáš Černý Věra Růžičková Ondřej Němec Zdeněk Kateřina Jitřenka Žofie "
            "Ďáblík Ludvík"
        ),
    ),
    "Slovak": (
        ("cp1250", "iso8859_2", "cp852"),
        (
            "Ľubomír Kováč Ján Šťastný Ľudovít Mäsiar Zuzana Hlaváčová Dušan Žák Gejza Ňaršík Jozef Tŕň Stanislav "
            "Kôň Peter Ďurica"
        ),
    ),
    "Hungarian": (
        ("cp1250", "iso8859_2", "cp852"),
        (
            "László Erdős Győző Szűcs Gergő Kovács Ildikó Őry Lőrinc Hajdú Ödön Fűzi István Dezső Jenő Béla Bíró "
            "Ágnes Csőke Gyöngyi Mező Tőkés Gergely Zsűri Kőszegi Fülöp Vörös Szőke Bőle Sűrű Üllői Szentgyörgyi "
            "Kőrösi Győr Endrődi Rőti Fűrész Hűvös Nyerő Püspöki Zölő Mihály Gáspár Ferenczí Márton"
        ),
    ),
    "Romanian": (
        ("cp1250", "iso8859_2"),
        (
            "Ştefan Mureşan Cătălin Ionuţ Bălan Ţepeş Mădălina Brâncuşi Iaşi Rădulescu Neacşu Gheorghiţă Drăguţ "
            "Şerban Bogdăneţ Crăciun Moţoc Văcărescu Gânju Înţeleptu Şoimu Ţurcanu Dănuţ Miruţă Sârbu Lăcătuş "
            "Pârvu Măruţă Bîrlă"
        ),
    ),
    "Croatian": (
        ("cp1250", "iso8859_2"),
        "Đorđe Čović Željko Šarić Krešimir Tomić Anđela Jurčić Živko Ćosić Matić Hadžić Jurišić",
    ),
    "Slovene": (
        ("cp1250", "iso8859_2"),
        (
            "Žiga Čuk Gašper Kovač Špela Dolenčič Matjaž Pučnik Črt Jagodič Košir Uroš Drnovšek Jančar Kučan "
            "Zupančič Marinčič Furlanič Žnidaršič Čeh Černe Čretnik Škof Rebernišek Mlačnik Vučko Petrič Blažič "
            "Bračko"
        ),
    ),
    "Albanian": (
        ("cp1252", "cp1250"),
        "Ermirë Çela Nëntor Hyskë Besë Çuçi Zanë Përparim Dëshira Gëzim",
    ),
    "Estonian": (
        ("cp1257", "iso8859_13", "cp1252"),
        (
            "Üie Žukova Ülo Šmidt Jüri Põld Mäe Tõnis Õnne Rõõm Väli Kärt Küünal Jõgi Šura Tšižov Žanna Mõttus "
            "Kõiv Jõe Sõber Päts Järv Kägu Küla Lõhmus Pärn Öövel Raudsepp Žarov Šveits Vžesniauskas Tüür Köster "
            "Duši"
        ),
    ),
    "Latvian": (
        ("cp1257", "cp775", "iso8859_13"),
        "Jānis Bērziņš Ģirts Kļaviņš Āris Šķēle Elīna Ozoliņa Ņina Žanis Čakste Ēriks Ūdris",
    ),
    "Lithuanian": (
        ("cp1257", "cp775", "iso8859_13"),
        "Žydrūnas Šarūnas Ąžuolas Čepaitė Jūratė Šimkutė Vėjūnė Rūta Petraitytė Ūselytė Žukauskienė",
    ),
    "Turkish": (
        ("cp1254", "iso8859_9", "cp857", "mac_turkish"),
        (
            "Şükrü Yılmaz İbrahim Çağlar Gökhan Öztürk Ayşe Işık Tuğba Doğan Güneş Çetin Yıldırım Şahin Ümit "
            "Kılıç İsmail"
        ),
    ),
    "Azerbaijani": (
        ("cp1254",),
        "Şükür Rüstemov Gülşen Çingiz Oğuz Hesen Ağayev Ilqar Eli",
    ),
    "Russian": (
        ("cp1251", "koi8_r", "cp866", "iso8859_5", "mac_cyrillic"),
        (
            "Иван Петров Ольга Иванова Сергей Кузнецов Наталья Смирнова Дмитрий Соколов Елена Попова Фёдор Щукин "
            "Юлия Жукова"
        ),
    ),
    "Ukrainian": (
        ("cp1251", "koi8_u", "iso8859_5"),
        ("Іван Шевченко Олексій Ковальчук Наталія Їжакевич Євген Бойко Юрій Гриценко Ганна Мельник Андрій Лисенко"),
    ),
    "Bulgarian": (
        ("cp1251",),
        "Георги Димитров Иванка Петрова Стефан Николов Мария Тодорова Христо Ангелов Цветелина Щерев",
    ),
    "Serbian": (
        ("cp1250",),
        (
            "Đorđe Petrović Živojin Šljivić Ljubiša Čolić Miloš Ćirić Nađa Stojković Đurić Čavić Željić Ćurčić "
            "Šćepanović Jovanović Živković Nikolić Vučić Đukić Marković Jokić Đoković Anđelić"
        ),
    ),
    "Serbian (Cyrillic)": (
        ("cp1251",),
        "Ђорђе Петровић Живојин Шљивић Љубиша Чолић Милош Ћирић Нађа Стојковић Његош",
    ),
    "Macedonian": (
        ("cp1251",),
        "Ѓорѓи Петревски Љубица Ќосев Јован Трајковски Сања Ристова Џабир Ѕвезда",
    ),
    "Belarusian": (
        ("cp1251",),
        "Алесь Каралёў Ганна Быкаў Яўген Іваноў Уладзімір Караткевіч Святлана Мікалаеўна",
    ),
    "Greek": (
        ("cp1253", "iso8859_7", "cp737", "mac_greek"),
        ("Γιώργος Παπαδόπουλος Ελένη Νικολάου Άννα Δημητρίου Κώστας Γεωργίου Μαρία Ιωάννου Βασίλης Χατζής Σπύρος"),
    ),
    "Hebrew": (
        ("cp1255", "iso8859_8", "cp862"),
        "דוד כהן משה לוי יעל מזרחי שרה פרץ אברהם ביטון רחל אזולאי יוסף חדד נועה",
    ),
    "Arabic": (
        ("cp1256",),
        "محمد أحمد فاطمة علي عبدالله حسن خديجة يوسف إبراهيم سعيد مريم خالد ليلى عثمان",
    ),
    "Persian": (
        ("cp1256",),
        "محمد رضايي فاطمه پوراحمد علي چراغي مريم گلزار حسين ژاله زهرا کريمي",
    ),
    "Thai": (
        ("cp874",),
        "สมชาย ใจดี สมหญิง แสงทอง วิชัย ศรีสุข ประเสริฐ บุญมี กมลชนก ทองคำ อนุชา พงษ์ไพร",
    ),
    "Vietnamese": (
        ("cp1258",),
        "Nguyễn Trần Phạm Hoàng Đặng Bùi Đỗ Hồ Ngô Dương Lê Thị Hạnh Văn Đức Thành Phương Thảo",
    ),
    "Japanese": (
        ("cp932",),
        "山田太郎 鈴木一郎 佐藤花子 高橋健一 田中美咲 伊藤さくら 渡辺直樹 中村アキラ 小林誠 加藤由美",
    ),
    "Chinese (simplified)": (
        ("gbk", "gb2312"),
        "王伟 李娜 张敏 刘洋 陈静 杨磊 赵丽 黄强 周军 吴艳 徐超 孙秀英 马建国 朱红梅",
    ),
    "Chinese (traditional)": (
        ("big5",),
        "陳怡君 林志明 黃淑芬 張家豪 李雅婷 王建宏 吳美玲 劉俊傑 蔡宗翰 楊惠雯 許文雄",
    ),
    "Korean": (
        ("cp949", "euc_kr"),
        "김민준 이서연 박지훈 최수빈 정예은 강도윤 조하은 윤시우 장지민 임서준 한소희",
    ),
}
