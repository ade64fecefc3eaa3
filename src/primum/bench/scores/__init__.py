"""Which confidence score still finds the failures when the images shift: trained, asked, judged."""
