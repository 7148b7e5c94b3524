from livingpaper.cli import main

main()
