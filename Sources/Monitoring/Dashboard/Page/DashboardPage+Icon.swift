extension DashboardPage {
    /// `icon.svg`: the icon of the browser's tab.
    static let icon = #"""
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#23527c"/><path
         d="M7 9h8v14H7zM18 9h7v3h-7zM18 14.500h7v3h-7zM18 20h7v3h-7z" fill="#fff"/></svg>
        """#
}
